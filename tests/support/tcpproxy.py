"""I: A TCP proxy whose traffic can be frozen or cut, to stand between a client and a store."""

import asyncio
import contextlib


class TcpProxy:
    """Listens on 127.0.0.1, on the same port whenever it is started again."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._serving: set[asyncio.Task[None] | None] = set()
        self.port = 0

    async def start(self) -> None:
        """Accept and forward."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        """Go on accepting, but pass no byte on."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Pass on what came in meanwhile, and all that follows."""
        self._flowing.set()

    async def stop(self) -> None:
        """Refuse new connections and reset those that are open, or are about to be."""
        self._server.close()
        serving = [task for task in self._serving if task is not None]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # the transports' own goodbye

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers, task = [writer], asyncio.current_task()
        self._serving.add(task)
        try:
            if self._server.is_serving():
                other_reader, other_writer = await asyncio.open_connection(*self._upstream)
                writers.append(other_writer)
                await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))
        except OSError:
            return
        finally:
            self._serving.discard(task)
            for each in writers:
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
