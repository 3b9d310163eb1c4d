"""Addresses of the pages about oneself; they come before the admin site's own."""

from __future__ import annotations

from django.urls import path

from smartlock.people import revealing, views

urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("second-factor/", views.show_second_factor, name="second-factor"),
    path("reveal/<int:credential_id>/", revealing.reveal_pin, name="reveal-pin"),
    path("second-factor/set-up/", views.set_up, name="second-factor-setup"),
]
