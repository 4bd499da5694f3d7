"""What every request of a process shares: settings, connections, caches, limits, templates."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

from canut.channels.drafts.files import Uploads
from canut.channels.pictures import Pictures
from canut.config import Settings
from canut.db.pool import Conn, Pool
from canut.db.secret import read_secret
from canut.errors import Invalid, Unavailable
from canut.pay.identity import Coop, read_coop
from canut.pay.money.payments import Provider
from canut.pay.money.stripe import Stripe
from canut.people.credentials import token_hash
from canut.people.model import Principal
from canut.web.kept import Kept
from canut.web.limits import Busy, Limit
from canut.web.live import Live
from canut.web.picture_links import PictureLinks
from canut.web.templating import Templates
from canut.work.names import TaskNames
from canut.work.tasks import load_names

#: seconds a principal is remembered: a revocation in another process is felt after this long
REMEMBER_S = 5.0
#: principals remembered, at most
PRINCIPALS_MAX = 20_000
#: imports and exports that one client may have running in this process
BUSY_MAX = 4
#: imports that run in this process; others wait
IMPORTS_MAX = 32


def remembered(hashed: bytes, *, session: bool) -> bytes:
    """Under what a token is remembered: sessions and keys apart, so that none passes for the
    other."""
    return b"s" + hashed if session else hashed


class Principals:
    """Who a token belongs to, for a few seconds, so that requests need no round trip to ask.

    None is remembered too: a program that goes on with a revoked key costs us nothing.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        remember_s: float = REMEMBER_S,
        size_max: int = PRINCIPALS_MAX,
    ):
        self._clock = clock
        self._remember_s = remember_s
        self._size_max = size_max
        #: token hash -> (principal, when it is forgotten); the oldest first
        self._known: dict[bytes, tuple[Principal | None, float]] = {}

    def find(self, token_hash: bytes) -> tuple[bool, Principal | None]:
        """Whether we remember, and whom."""
        known = self._known.get(token_hash)
        if known is None or known[1] <= self._clock():
            return False, None
        return True, known[0]

    def remember(self, token_hash: bytes, principal: Principal | None) -> None:
        """Remember for `remember_s` seconds."""
        self._known.pop(token_hash, None)
        self._known[token_hash] = (principal, self._clock() + self._remember_s)
        if len(self._known) > self._size_max:
            del self._known[next(iter(self._known))]

    def forget(self, token_hash: bytes) -> None:
        """This token was revoked, or its session ended."""
        self._known.pop(token_hash, None)

    def forget_token(self, token: str, *, session: bool) -> None:
        """As `forget`, for the secret itself."""
        self.forget(remembered(token_hash(token), session=session))

    def forget_account(self, account_id: int | None) -> None:
        """What this account may do has changed."""
        gone = [
            known
            for known, (principal, _) in self._known.items()
            if principal is not None and principal.account_id == account_id
        ]
        for known in gone:
            del self._known[known]

    def __len__(self) -> int:
        return len(self._known)


def provider_of(settings: Settings) -> Provider | None:
    """The provider of payments that the settings have both secrets for."""
    if settings.stripe_key and settings.stripe_webhook_secret:
        return Stripe(settings.stripe_key, settings.stripe_webhook_secret)
    return None


class House:
    """State of one web process; `create_app` makes it, `house(request)` finds it."""

    def __init__(self, settings: Settings, templates: Templates | None = None):
        self.settings = settings
        self.pool: Pool | None = None
        self._task_names: TaskNames | None = None
        self._picture_links: PictureLinks | None = None
        self.pictures = Pictures(Path(settings.data) / "pictures")
        self.uploads = Uploads(
            Path(settings.data) / "uploads", settings.upload_bytes_max, self.pictures
        )
        self.principals = Principals()
        self.requests = Limit(settings.rate_per_s, settings.rate_burst)
        #: unknown keys and cookies, per address: each costs us a look into the database
        self.strangers = Limit(1.0, 30)
        #: attempts to log in, per address and per account: ten a minute
        self.log_ins = Limit(10 / 60, 10)
        #: imports and exports of a client at once
        self.busy = Busy(BUSY_MAX)
        #: threads of imports: they wait for whoever sends, and nobody else must wait for them
        self.imports = ThreadPoolExecutor(IMPORTS_MAX, "import")
        self.templates = templates or Templates()
        self.kept = Kept()
        #: where clients can pay by card; None: nowhere
        self.payments = provider_of(settings)
        self.live = Live()
        self.secure = settings.url.startswith("https:")
        self.host = urlsplit(settings.url).netloc

    def connection(self) -> AbstractAsyncContextManager[Conn]:
        """A connection from the pool: `async with house.connection() as conn`."""
        if self.pool is None:
            raise Unavailable("The server is not ready.")
        return self.pool.connection()

    def coop(self) -> Coop | None:
        """Who the co-op is; None: nobody has written it down, or not so that it can be used."""
        try:
            return read_coop(self.settings.coop_file)
        except (Unavailable, Invalid):
            return None

    async def picture_links(self) -> PictureLinks:
        """The links to clients' pictures; the key from the database the first time."""
        if self._picture_links is None:
            async with self.connection() as conn:
                self._picture_links = PictureLinks(await read_secret(conn, "picture_links"))
        return self._picture_links

    async def task_names(self) -> TaskNames:
        """The public names of tasks; from the database the first time, so that a server whose
        database is away for a moment starts all the same."""
        if self._task_names is None:
            if self.pool is None:
                raise Unavailable("The server is not ready.")
            self._task_names = await load_names(self.pool)
        return self._task_names
