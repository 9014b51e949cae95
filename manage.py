#!/usr/bin/env python
"""D: Django's command-line entry point."""

from gateway_project.main import execute

if __name__ == "__main__":
    execute()
