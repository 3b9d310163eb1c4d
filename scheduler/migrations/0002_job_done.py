from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scheduler", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                fields=["queue", "finished_at", "id"],
                condition=models.Q(("state__in", ["succeeded", "cancelled"])),
                name="job_done",
            ),
        ),
    ]
