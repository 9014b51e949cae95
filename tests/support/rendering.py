"""D: Test clients hear of each page that is rendered, and not of the hundreds of templates that it is made of."""

from django.template import Context, RequestContext, Template
from django.test import utils
from django.test.signals import template_rendered


def install() -> None:
    """Django tells of each field, button and icon, and a client copies its context: a tenth of the time of a page."""
    utils.instrumented_test_render = _render


def _render(template: Template, context: Context) -> str:
    """What a view rendered tells so, with what the view gave it; included, extended and widgets' templates do not."""
    if context.template is template and isinstance(context, RequestContext):
        template_rendered.send(sender=template, template=template, context=context)
    return template.nodelist.render(context)
