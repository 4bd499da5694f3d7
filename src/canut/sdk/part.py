"""What a part of the API is made of: methods that stand for calls, in both clients alike."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

from canut.sdk import values as v
from canut.sdk.call import Call
from canut.sdk.sending import Http
from canut.sdk.sending_async import AsyncHttp

#: with or without `await`
H = TypeVar("H", bound=Http | AsyncHttp)
P = ParamSpec("P")
T = TypeVar("T")


class Part(Generic[H]):
    """Part of the API."""

    def __init__(self, http: H):
        self.http = http


class Method(Generic[P, T]):
    """Makes a method that sends what a function of `canut.sdk.calls` builds."""

    def __init__(self, build: Callable[P, Call[T]]):
        self.build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, part: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, part: Part[Http], owner: type[Any]) -> Callable[P, T]: ...

    @overload
    def __get__(
        self, part: Part[AsyncHttp], owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, part: Part[Any] | None, owner: type[Any]) -> Any:
        return self if part is None else part.http.method(self.build)


class Pages(Generic[P, T]):
    """Makes a method that goes through every page of a list."""

    def __init__(self, build: Callable[P, Call[v.Page[T]]]):
        self.build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, part: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, part: Part[Http], owner: type[Any]) -> Callable[P, Iterator[T]]: ...

    @overload
    def __get__(self, part: Part[AsyncHttp], owner: type[Any]) -> Callable[P, AsyncIterator[T]]: ...

    def __get__(self, part: Part[Any] | None, owner: type[Any]) -> Any:
        return self if part is None else part.http.pages(self.build)
