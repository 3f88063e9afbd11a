"""Compile the translations before the package is built; everything else is in pyproject.toml."""

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithMessages(build_py):
    """As always, after the catalogues have been compiled."""

    def run(self) -> None:
        compile_catalogues = self.get_finalized_command("compile_catalog")
        compile_catalogues.run()
        super().run()


setup(
    cmdclass={"build_py": BuildWithMessages},
    options={"compile_catalog": {"directory": "src/reclaim/locale", "domain": "django"}},
)
