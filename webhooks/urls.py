from __future__ import annotations

from django.urls import path

from webhooks import views

urlpatterns = [
    path("stays/", views.stays, name="stays-signed"),
    path("stays", views.stays),
    path("stays/<str:token>/", views.stays, name="stays"),
    path("stays/<str:token>", views.stays),  # Stays' form field may lose the slash; a redirect would lose the body
]
