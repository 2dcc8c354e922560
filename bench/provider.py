"""`python -m bench.provider SECONDS PER_SECOND`: a model that writes so many words a second for so long; its port comes
first on standard output. `GET /asked` tells how often each question was asked, as JSON."""

import asyncio
import json
import sys
from collections import Counter

asked: Counter[str] = Counter()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, per_second: float) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if head.startswith("GET"):
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + json.dumps(asked).encode())
            return
        length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
        body = json.loads(await reader.readexactly(length))
        asked[body["messages"][-1]["content"]] += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for number in range(round(seconds * per_second)):
            await asyncio.sleep(1 / per_second)
            writer.write(_event({"choices": [{"index": 0, "delta": {"content": f"word{number} "}}]}))
            await writer.drain()
        writer.write(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        usage = {"prompt_tokens": 9, "completion_tokens": round(seconds * per_second)}
        writer.write(_event({"choices": [], "usage": usage}) + b"data: [DONE]\n\n")
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


def _event(payload: object) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


async def main(seconds: float, per_second: float) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: answer(reader, writer, seconds, per_second), "127.0.0.1", 0, backlog=512
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), float(sys.argv[2])))
