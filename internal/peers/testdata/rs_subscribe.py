"""Subscribes to one track on the moq-rs package: python rs_subscribe.py URL BROADCAST TRACK FRAMES.

It prints one line "frame GROUP PAYLOAD" per frame and ends after FRAMES of them.
"""

import asyncio
import sys

import moq


async def main(url: str, broadcast: str, track: str, frames: int) -> None:
    async with moq.Client(url, tls_verify=False, reconnect=False) as client:
        consumer = await client.announced_broadcast(broadcast)
        sub = await consumer.subscribe_track(track)
        print("subscribed", flush=True)
        seen = 0
        async for group in sub.groups_as_arrived():
            async for frame in group:
                print("frame", group.sequence, bytes(frame.payload).decode(), flush=True)
                seen += 1
                if seen == frames:
                    return


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
