"""The admin of this project: behind the same sign-in as everything else."""

from django.contrib.admin.apps import AdminConfig


class SecureAdminConfig(AdminConfig):
    default_site = "accounts.admin_site.SecureAdminSite"
