"""The sign-in library's conditional unique constraints do not exist on MySQL: functional unique indexes say the same."""

from django.db import migrations

from promptlib.core.sql import VendorSQL


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        VendorSQL(
            forward={
                "mysql": [
                    "CREATE UNIQUE INDEX account_email_verified_once ON account_emailaddress"
                    " ((CASE WHEN verified THEN LOWER(email) COLLATE utf8mb4_0900_as_ci END))",
                    "CREATE UNIQUE INDEX account_email_primary_once ON account_emailaddress"
                    " ((CASE WHEN `primary` THEN user_id END))",
                    "CREATE UNIQUE INDEX mfa_authenticator_once ON mfa_authenticator"
                    " ((CASE WHEN type IN ('totp', 'recovery_codes') THEN user_id END), type)",
                ]
            },
            reverse={
                "mysql": [
                    "DROP INDEX mfa_authenticator_once ON mfa_authenticator",
                    "DROP INDEX account_email_primary_once ON account_emailaddress",
                    "DROP INDEX account_email_verified_once ON account_emailaddress",
                ]
            },
        ),
    ]
