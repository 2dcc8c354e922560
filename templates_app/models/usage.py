"""What a template's versions achieved, as reports read it."""

from django.db import models

from promptlib.core.fields import UUIDField


class TemplateUsage(models.Model):
    """Runs, success, latency, tokens, cost and rating of one version (view `report_template_usage`)."""

    version_id = UUIDField(primary_key=True)
    version_uuid = models.CharField(max_length=36)
    template_id = UUIDField()
    template_uuid = models.CharField(max_length=36)
    title = models.CharField(max_length=200)
    number = models.IntegerField()
    runs = models.BigIntegerField()
    success_rate = models.FloatField(null=True)
    mean_latency_ms = models.FloatField(null=True)
    p95_latency_ms = models.IntegerField(null=True)
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost = models.DecimalField(max_digits=18, decimal_places=6)
    rating_average = models.FloatField(null=True)
    rating_count = models.IntegerField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "report_template_usage"

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"
