"""Commands that are found by their name: only the module of the one that is called is imported."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


def nouns(modules: dict[str, str]) -> type[TyperGroup]:
    """Return a kind of group whose commands are in `modules`, by name, in this order.

    A module holds a `typer.Typer` called `app`, or a function with the command's name.
    """

    class Nouns(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return [*super().list_commands(ctx), *modules]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name in modules and cmd_name not in self.commands:
                return _command(cmd_name, modules[cmd_name])
            return super().get_command(ctx, cmd_name)

    return Nouns


def _command(name: str, place: str) -> Any:
    module = import_module(place)
    above = typer.Typer(add_completion=False, rich_markup_mode=None)
    if hasattr(module, "app"):
        above.add_typer(module.app, name=name)
    else:
        above.command(name)(getattr(module, name))
    return get_group(above).commands[name]
