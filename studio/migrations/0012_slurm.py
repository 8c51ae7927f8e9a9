from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studio', '0011_compute_settings'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='compute',
            name='compute_kind_known',
        ),
        migrations.AlterField(
            model_name='compute',
            name='kind',
            field=models.CharField(choices=[('local', 'This machine'), ('slurm', 'Slurm')], default='local', max_length=16),
        ),
        migrations.AddConstraint(
            model_name='compute',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['local', 'slurm'])), name='compute_kind_known'),
        ),
    ]
