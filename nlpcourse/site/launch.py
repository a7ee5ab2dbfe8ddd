"""The ways to start an assignment: a download, Google Colab, and a JupyterHub whose address the reader gives."""

from html import escape
from urllib.parse import quote

from nlpcourse import settings


def colab_address(topic: str) -> str:
    """The address that opens the released notebook of `topic`, at the course's tag, in Google Colab."""
    repository = settings.REPOSITORY.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{repository}/blob/{settings.TAG}/{_notebook(topic)}"


def hub_path(topic: str) -> str:
    """What follows a JupyterHub's address: nbgitpuller copies the course there and opens the notebook of `topic`.

    No branch is named: nbgitpuller brings a copy up to date only along a branch, and takes the default one.
    """
    folder = settings.REPOSITORY.rsplit("/", 1)[1]
    urlpath = f"lab/tree/{folder}/{_notebook(topic)}"
    return f"/hub/user-redirect/git-pull?repo={quote(settings.REPOSITORY, safe='')}&urlpath={quote(urlpath, safe='')}"


def hub_form(topic: str) -> str:
    """The form that makes the JupyterHub link from an address, as HTML; without JavaScript it shows the pattern."""
    path = escape(hub_path(topic))
    return f"""<form class="course-hub" data-course-script="launch.js" data-path="{path}" hidden>
<label>Address of your JupyterHub <input type="url" required placeholder="https://hub.example.org"></label>
<button type="submit">Make the link</button>
<p class="course-hub-said" role="status"></p>
</form>
<noscript><p>The link is your hub's address, followed by <code>{path}</code></p></noscript>"""


def _notebook(topic: str) -> str:
    return f"exercises/{topic}/{topic}.ipynb"
