"""The Sphinx extension of the book, named in `_config.yml`: offline, accessible, cached by what counts."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from nlpcourse import settings
from nlpcourse.site import (
    accessibility,
    assets,
    attack_table,
    directives,
    facts,
    grading_times,
    head_maps,
    masked_words,
    typography,
    vector_map,
)
from nlpcourse.site.cache import cache_folder


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect everything; Sphinx calls this once for each build."""
    app.add_config_value("course_execution_key", "", "env")
    app.connect("config-inited", set_execution_cache)
    app.connect("config-inited", set_repository)
    directives.setup(app)
    facts.setup(app)
    vector_map.setup(app)
    head_maps.setup(app)
    masked_words.setup(app)
    attack_table.setup(app)
    grading_times.setup(app)
    assets.setup(app)
    accessibility.setup(app)
    typography.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def set_execution_cache(app: Sphinx, config: Config) -> None:
    """Keep outputs in a folder named after the execution key: a new key runs and reads every page anew."""
    folder = cache_folder(Path(app.srcdir))
    config.course_execution_key = folder.name
    config.nb_execution_cache_path = str(folder)


def set_repository(app: Sphinx, config: Config) -> None:
    """The repository button leads to the one address that all links share."""
    config.html_theme_options["repository_url"] = settings.REPOSITORY
