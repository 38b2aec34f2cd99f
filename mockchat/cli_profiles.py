"""The commands `mockchat profiles`: which variants of the API there are."""

from pathlib import Path

import click

from mockchat.cli_options import refusing, schemas_option


@click.group(invoke_without_command=True)
@schemas_option
@click.pass_context
def profiles(context: click.Context, schemas: Path | None) -> None:
    """List the variants of the API, show what one changes, judge your own."""
    if context.invoked_subcommand is not None:
        return
    from mockchat.contract.profile import load_profile, profile_names

    with refusing():
        known = [load_profile(name, schemas) for name in profile_names(schemas)]
    width = max(len(profile.name) for profile in known)
    for profile in known:
        click.echo(f"{profile.name:{width}}  {profile.summary}")
