"""Every address the outside may knock at."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from smartlock.api.root import api
from smartlock.flower import flower
from smartlock.timeline.views import timeline
from smartlock.tonight.views import fragment

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/flower/", flower, name="flower"),
    path("admin/flower/<path:path>", flower),
    path("admin/timeline/", admin.site.admin_view(timeline), name="timeline"),
    path("admin/tonight/", fragment, name="tonight"),
    path("admin/", include("smartlock.people.urls")),
    path("admin/", admin.site.urls),
    path("api", RedirectView.as_view(pattern_name="api:openapi-view")),
    path("api/", api.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("webhooks/", include("webhooks.urls")),
    path("", include("smartlock.health_urls")),
]

handler400 = "smartlock.refusals.bad_request"
