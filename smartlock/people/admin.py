"""Takes the library's pages of second factors away again: secrets stand on them, and ours do the same without.

Loaded after those of django-otp, because this app is the last one (``INSTALLED_APPS``).
"""

from __future__ import annotations

from django.contrib import admin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

admin.site.unregister([TOTPDevice, StaticDevice])
