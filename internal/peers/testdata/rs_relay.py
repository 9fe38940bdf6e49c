"""A small relay on the Rust stack of the moq-rs package: one shared origin routes announcements, subscriptions and objects."""

import asyncio
import sys

import moq


async def main(bind: str) -> None:
    origin = moq.OriginProducer()
    sessions = []
    async with moq.Server(bind, tls_generate=["localhost", "127.0.0.1"], publish=origin, subscribe=origin) as server:
        print("listening", server.local_addr, flush=True)

        async def keep(request):
            try:
                sessions.append(await request.accept())
            except Exception as err:  # a client that goes away in the handshake must not end the relay
                print("refused", err, file=sys.stderr, flush=True)

        async for request in server:
            asyncio.ensure_future(keep(request))


asyncio.run(main(sys.argv[1]))
