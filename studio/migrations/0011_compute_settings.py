from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studio', '0010_heaviest'),
    ]

    operations = [
        migrations.AddField(
            model_name='compute',
            name='cluster',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='compute',
            name='settings',
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
