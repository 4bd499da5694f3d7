"""The public names of tasks: the same for everybody, and they say nothing.

Whoever could read numbers out of names could tell the tasks that were made later, among them those
whose answer is known, from the others. So a name is the task's numbers under a secret permutation
of 128 bits (AES, one block). It is read back without asking the database, so that an answer is
checked and stored in one round trip. The forty bits of the block that no number reaches must be
zero: a name that was made up is told from a real one, but for one in 10**12.
"""

import base64
import binascii
import threading

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from canut.errors import Invalid
from canut.work.model import TaskRef

#: bits of the number of a task, and of a step
TASK_BITS = 48
STEP_BITS = 40
BLOCK_BYTES = 16
#: characters of a name
LENGTH = 22


class TaskNames:
    """Names under one key of 16 bytes."""

    def __init__(self, key: bytes):
        # one block a name, and no two names of the same block: what the mode is bad at is not here
        cipher = Cipher(AES(key), ECB())  # noqa: S305
        self._hide = cipher.encryptor().update
        self._show = cipher.decryptor().update
        # the library's contexts are not for several threads at once
        self._turn = threading.Lock()

    def name(self, ref: TaskRef) -> str:
        """The name of a task: 22 letters, digits, "-" and "_".

        Raises `OverflowError` for numbers that no database of ours reaches.
        """
        if ref.task_id >> TASK_BITS or ref.batch_step_id >> STEP_BITS:
            raise OverflowError(f"no name for task {ref.task_id} of step {ref.batch_step_id}")
        block = (ref.batch_step_id << TASK_BITS | ref.task_id).to_bytes(BLOCK_BYTES, "big")
        with self._turn:
            hidden = self._hide(block)
        return base64.urlsafe_b64encode(hidden)[:LENGTH].decode()

    def read(self, text: str) -> TaskRef:
        """The task of this name. Raises `Invalid`."""
        ref = self._read(text)
        # the last character has bits to spare: one task, one name
        if ref is None or self.name(ref) != text:
            raise Invalid(f"{text[:50]!r} is not a task.", mend="use the name the claim gave")
        return ref

    def _read(self, text: str) -> TaskRef | None:
        if len(text) != LENGTH or not text.isascii():
            return None
        try:
            block = base64.urlsafe_b64decode(f"{text}==")
        except binascii.Error:
            return None
        if len(block) != BLOCK_BYTES:
            return None
        with self._turn:
            number = int.from_bytes(self._show(block), "big")
        if number >> TASK_BITS + STEP_BITS:
            return None
        return TaskRef(number >> TASK_BITS, number & (1 << TASK_BITS) - 1)
