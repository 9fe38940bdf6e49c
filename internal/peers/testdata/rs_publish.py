"""Publishes a broadcast with one track on the moq-rs package: python rs_publish.py URL BROADCAST TRACK GROUPS FRAMES.

It waits until somebody uses the track, writes GROUPS groups of FRAMES frames "group/frame", and prints "published".
"""

import asyncio
import sys

import moq


async def main(url: str, broadcast: str, track: str, groups: int, frames: int) -> None:
    async with moq.Client(url, tls_verify=False, reconnect=False) as client:
        producer = client.create_broadcast(broadcast)
        out = producer.publish_track(track)
        producer.announce()
        print("announced", flush=True)
        await out.used()
        for g in range(groups):
            group = out.append_group()
            for f in range(frames):
                group.write_frame(f"{g}/{f}".encode())
            group.finish()
            # The package sends the newest group first and its subscriber gives up a group that a newer one has overtaken: each gets time to arrive.
            await asyncio.sleep(0.3)
        print("published", flush=True)
        await asyncio.sleep(30)  # the caller ends the process when it has seen the objects


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
