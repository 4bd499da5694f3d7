'''All HTTP: the application, who asks, errors, the JSON API and the pages.

How a route is written::

    @get("/api/v1/batches", opt=requires("batches:read"))      # auth.requires; auth.OPEN
    async def list_batches(request: WebRequest, after: FromQuery[int] = 0) -> list[Batch]:
        """..."""
        who = principal(request)                                # auth.principal -> Principal
        async with house(request).connection() as conn:         # autocommit, from the pool
            return await store.list_batches(conn, who.clients, after)

    @get("/batches", opt=requires("client", "operator"))
    async def show_batches(request: WebRequest) -> Response[Any]:
        ...
        return render(request, "batches.html", batches=batches)  # pages.render

- A route says who may use it: `requires(...)` with scopes (sessions and keys) or roles (people
  with a session), one of which is enough; `OPEN` for anybody. One that says nothing needs a login.
- Errors are raised, as `canut.errors`; `errors.STATUS` turns their code into a status, and they
  leave as problem details under /api and as a page elsewhere.
- Forms post `{{ csrf() }}` (from `forms.html`) or scripts the header `x-csrf-token`, and answer
  with `go(path)`. Requests with an API key need neither.
- `api.routes(settings)` and `pages.routes(settings)` list what is served.
'''
