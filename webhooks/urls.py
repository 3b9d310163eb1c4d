from __future__ import annotations

from django.urls import path

from webhooks import views
from webhooks.sources import SOURCES

# With and without the last slash: a sender's form field may lose it, and a redirect would lose the body.
urlpatterns = [
    path(f"{source}{rest}", views.receive, {"source": source})
    for source in SOURCES
    for rest in ("/", "", "/<str:token>/", "/<str:token>")
]
