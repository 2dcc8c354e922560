"""A person's favourites in the person's own order."""

from typing import Any

from django.db import transaction

from templates_app.models import Favorite, PromptTemplate

ORDER = ("position", "-id")
"""What is new comes first, until it is moved."""


@transaction.atomic
def move_favorite(template: PromptTemplate, *, user: Any, by: int) -> bool:
    """One place up (-1) or down (1) among those that the person sees; False at the end, and for what is none.

    Two people's orders have nothing to do with each other, and the order is nobody else's business: it is not audited.
    """
    mine = list(Favorite.objects.select_for_update().filter(user=user).order_by(*ORDER))
    seen = set(PromptTemplate.objects.visible_to(user).filter(favorites__user=user).values_list("pk", flat=True))
    shown = [favorite for favorite in mine if favorite.template_id in seen]
    place = next((index for index, each in enumerate(shown) if each.template_id == template.pk), None)
    if place is None or not 0 <= place + by < len(shown):
        return False
    moved, neighbour = shown[place], shown[place + by]
    mine.remove(moved)
    mine.insert(mine.index(neighbour) + (by > 0), moved)
    changed = []
    for position, favorite in enumerate(mine, start=1):
        if favorite.position != position:
            favorite.position = position
            changed.append(favorite)
    Favorite.objects.bulk_update(changed, ["position"], batch_size=500)
    return True
