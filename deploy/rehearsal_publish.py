"""Publishes the lines of stdin on the moq-rs package, a group each: rehearsal_publish.py URL NAMESPACE TRACK."""

import asyncio
import sys

import moq


async def main(url: str, broadcast: str, track: str) -> None:
    async with moq.Client(url, tls_verify=False, reconnect=False) as client:
        producer = client.create_broadcast(broadcast)
        out = producer.publish_track(track)
        producer.announce()
        await out.used()
        while line := await asyncio.to_thread(sys.stdin.readline):
            group = out.append_group()
            group.write_frame(line.rstrip("\n").encode())
            group.finish()
            # its subscriber gives up a group that a newer one has overtaken: each gets time to arrive
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)


asyncio.run(main(*sys.argv[1:]))
