"""Prints the objects of a track, a line each, on the moq-rs package: rehearsal_subscribe.py URL NAMESPACE TRACK."""

import asyncio
import sys

import moq


async def main(url: str, broadcast: str, track: str) -> None:
    async with moq.Client(url, tls_verify=False, reconnect=False) as client:
        consumer = await client.announced_broadcast(broadcast)
        sub = await consumer.subscribe_track(track)
        async for group in sub.groups_as_arrived():
            async for frame in group:
                print(bytes(frame.payload).decode(), flush=True)


asyncio.run(main(*sys.argv[1:]))
