"""One stage of a model as something that runs, and that repairs itself when it stops running."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.engine.onnx import RUNTIME_ERRORS, ort
from runtime.engine.providers import Provider, first_line, quiet
from runtime.system.errors import Refusal, printable
from runtime.system.files import read_regular

ERRORS_BEFORE_REBUILD = 3  # in a row; a single bad frame is not the session's fault
REBUILDS_BEFORE_CPU = 2
RUNS_TO_FORGET = 250  # after so many good ones, a repair on the same provider is no news any more
MAX_MODEL_BYTES = 512 << 20
MAX_RUN_BYTES = 2 << 30  # for all sessions together whose models nobody vouches for

Array = NDArray[np.generic]


class NoResultError(Exception):
    """No result for this frame; the text is for a banner, and the video goes on."""


def read_model(path: Path) -> bytes:
    """The bytes of a model file, read once: hash and session are made from the same bytes.

    A session made from bytes cannot reach any other file, and keeps running when the file is replaced.

    Raises:
        Refusal: missing, not a regular file, unreadable or too large.
    """
    try:
        return read_regular(path, MAX_MODEL_BYTES)
    except OSError as e:
        raise Refusal(
            f"model file {printable(path.name)}",
            f"it cannot be read ({e.strerror})",
            f"check that {path} exists, is readable, and is a model for live video",
        ) from e


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


class Session:
    """A model stage on a provider.

    `run` may be called from several threads. After three errors in a row the session is built anew, after a
    second rebuild on the CPU; `notice` then says so.

    Attributes:
        name: what the stage is called in messages.
        data: the bytes it was made from, kept for rebuilding and for trials of factors on this trunk.
        sha256: of those bytes.
        provider: what really runs.
        interface: inputs and outputs, each name → (type, rank).
        notice: words for a banner, empty when all is well.
    """

    def __init__(
        self, name: str, data: bytes, provider: Provider, *, threads: int = 1, bounded: bool = False
    ) -> None:
        """Build the session; a `bounded` one fails where it would take more memory than `MAX_RUN_BYTES`.

        Raises:
            Refusal: when the bytes are not a model that the runtime accepts.
        """
        self.name = name
        self.sha256 = sha256(data)
        self.notice = ""
        self.rebuilds = 0
        self.data = data
        self.threads, self._bounded = threads, bounded
        self._errors = self._good = 0
        self._repair = threading.Lock()
        try:
            self._session = _build(data, provider, threads, bounded=bounded)
        except RUNTIME_ERRORS as e:
            newer = any(words in str(e) for words in ("Unsupported model IR version", "is till opset"))
            remedy = "update xfactor" if newer else "use a model exported by `xfactor export`"
            reason = (
                "it was written for a newer version of the runtime" if newer else "the runtime cannot load it"
            )
            raise Refusal(f"model stage {name}", f"{reason} ({first_line(e)})", remedy) from e
        self.provider = self._wanted = Provider(self._session.get_providers()[0])
        self.interface = _signature(self._session.get_inputs()), _signature(self._session.get_outputs())
        self.inputs, self.outputs = (tuple(side) for side in self.interface)

    @property
    def input_shapes(self) -> dict[str, list[int | str | None]]:
        """Name → sides of each input; a word or None where the file leaves one open."""
        return {a.name: list(a.shape) for a in self._session.get_inputs()}

    def run(self, feeds: Mapping[str, Array], outputs: tuple[str, ...]) -> list[Array]:
        """The named outputs for these inputs.

        Raises:
            NoResultError: the stage failed on this frame.
        """
        session = self._session  # read once: another thread may be replacing it
        try:
            results: list[Array] = session.run(list(outputs), dict(feeds))
        except RUNTIME_ERRORS as e:
            full = self._bounded and "bfc_arena" in str(e)
            reason = f"it needs more than {MAX_RUN_BYTES >> 30} GB of memory" if full else first_line(e)
            self._on_error(session, reason)
            raise NoResultError(f"{self.name} failed: {reason}") from e
        self._errors = 0
        if self.notice and self.provider is self._wanted:
            self._good += 1
            if self._good >= RUNS_TO_FORGET:
                self.notice = ""
        return results

    def _on_error(self, failed: ort.InferenceSession, error: str) -> None:
        with self._repair:
            if failed is not self._session:
                return  # somebody has rebuilt it meanwhile
            self._errors += 1
            if self._errors >= ERRORS_BEFORE_REBUILD and self.rebuilds <= REBUILDS_BEFORE_CPU:
                self._errors = 0
                self._rebuild(error)

    def _rebuild(self, error: str) -> None:
        target = Provider.CPU if self.rebuilds >= REBUILDS_BEFORE_CPU else self.provider
        self.rebuilds += 1
        self._good = 0
        reason = f"{self.name} failed {ERRORS_BEFORE_REBUILD} times ({error})"
        try:
            self._session = _build(self.data, target, self.threads, bounded=self._bounded)
        except RUNTIME_ERRORS as e:
            self.notice = f"{reason} and could not be rebuilt ({first_line(e)})"
            return
        before, self.provider = self.provider, Provider(self._session.get_providers()[0])
        done = "was rebuilt on" if self.provider is before else "now runs on"
        self.notice = f"{reason} and {done} {self.provider.label}"


def _signature(arguments: list[ort.NodeArg]) -> dict[str, tuple[str, int]]:
    """Name → (type, rank) of a session's inputs or outputs."""
    return {a.name: (a.type, len(a.shape)) for a in arguments}


@functools.cache
def _share_bounded_memory() -> None:
    """Have one allocator with a limit, for every session that asks for it."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg({"max_mem": MAX_RUN_BYTES}))


def _build(data: bytes, provider: Provider, threads: int, *, bounded: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Spinning threads take the cores from decoding, painting and the personalisation worker (performance §3).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if bounded:
        _share_bounded_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
    wanted: list[str | tuple[str, dict[str, str]]] = [Provider.CPU.value]
    if provider is Provider.CUDA:
        wanted.insert(0, (provider.value, {"arena_extend_strategy": "kSameAsRequested"}))
    with quiet():
        return ort.InferenceSession(data, options, providers=wanted)
