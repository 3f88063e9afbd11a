import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("cases", "0001_initial"),
        ("casework", "0001_initial"),
        ("organisations", "0001_initial"),
        ("peers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="OrganisationKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="key", to="organisations.organisation"
                    ),
                ),
                ("number", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("recipient", models.CharField(max_length=80)),
                ("sealed_identity", models.BinaryField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="PeerOrganisation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "peer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="organisations", to="peers.peer"
                    ),
                ),
                ("number", models.UUIDField()),
                ("name", models.CharField(max_length=80)),
                ("country", models.CharField(max_length=2)),
                ("languages", models.JSONField(default=list)),
                ("hours", models.CharField(blank=True, max_length=200)),
                ("remit", models.CharField(blank=True, max_length=300)),
                ("recipient", models.CharField(max_length=80)),
                ("listed", models.BooleanField(default=True)),
                ("new_key_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("peer", "number"), name="one_peer_organisation_a_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="PeerList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "peer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="organisation_list", to="peers.peer"
                    ),
                ),
                ("made_at", models.BigIntegerField(default=0)),
                ("read_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReferralConsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case_file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="referral_consents",
                        to="casework.casefile",
                    ),
                ),
                ("how", models.CharField(choices=[("phone", "Phone"), ("code", "Code")], max_length=5)),
                ("case", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to="cases.case")),
                ("parts", models.JSONField()),
                ("sealed_words", models.BinaryField()),
                (
                    "recorded_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="organisations.practitioner"),
                ),
                ("agreed_at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("how", "code"), ("withdrawn_at", None)),
                        fields=["case_file"],
                        name="consents_by_code",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "case_file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="referrals",
                        to="casework.casefile",
                    ),
                ),
                (
                    "consent",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="referral",
                        to="cooperation.referralconsent",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="organisations.practitioner"),
                ),
                (
                    "peer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="peers.peer",
                    ),
                ),
                ("to_number", models.UUIDField()),
                ("to_name", models.CharField(max_length=80)),
                ("to_country", models.CharField(max_length=2)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("returned", "Returned"),
                            ("withdrawn", "Withdrawn"),
                            ("erased", "Erased"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                ("sealed_copy", models.BinaryField(null=True)),
                ("sealed_reply", models.TextField(blank=True)),
                ("fault", models.CharField(blank=True, max_length=300)),
                ("sent_at", models.DateTimeField(auto_now_add=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["organisation", "-sent_at"], name="referrals_of_organisation")],
            },
        ),
        migrations.CreateModel(
            name="ReceivedReferral",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.UUIDField()),
                (
                    "peer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="received_referrals",
                        to="peers.peer",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="received_referrals",
                        to="organisations.organisation",
                    ),
                ),
                ("from_number", models.UUIDField()),
                ("from_name", models.CharField(max_length=80)),
                ("from_country", models.CharField(max_length=2)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("returned", "Returned"),
                            ("ended", "Ended"),
                            ("erased", "Erased"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("sealed", models.TextField(blank=True)),
                (
                    "case_file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="received_referrals",
                        to="casework.casefile",
                    ),
                ),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now_add=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organisation", "state", "-received_at"], name="received_of_organisation")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("peer", "name"), name="one_received_referral_a_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("peer", None)), fields=("name",), name="one_own_referral_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "accepted"]), ("sealed", ""), _connector="OR"),
                        name="what_ended_keeps_nothing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutgoingMessage",
            fields=[
                ("name", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "peer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="outgoing_messages", to="peers.peer"
                    ),
                ),
                ("referral", models.UUIDField(db_index=True)),
                ("kind", models.CharField(max_length=10)),
                ("body", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                ("tries", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="SeenMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("peer", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="peers.peer")),
                ("name", models.UUIDField()),
                ("until", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("peer", "name"), name="a_message_counts_once")],
            },
        ),
        migrations.CreateModel(
            name="Officer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="officers",
                        to="organisations.organisation",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("agency", models.CharField(max_length=120)),
                ("country", models.CharField(max_length=2)),
                ("recipient", models.CharField(max_length=80)),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="officers_added",
                        to="organisations.practitioner",
                    ),
                ),
                ("added_at", models.DateTimeField(auto_now_add=True)),
                (
                    "checked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="officers_checked",
                        to="organisations.practitioner",
                    ),
                ),
                ("checked_at", models.DateTimeField(null=True)),
                ("checked_how", models.CharField(blank=True, max_length=300)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("organisation", "recipient"),
                        name="one_officer_a_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("checked_at", None), ("checked_by", None), ("checked_how", "")),
                            models.Q(
                                ("checked_at__isnull", False),
                                ("checked_by__isnull", False),
                                models.Q(("checked_how", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="checked_by_somebody_in_some_way",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("checked_by", None),
                            models.Q(("checked_by", models.F("added_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="two_people_for_a_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EvidencePack",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "case_file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evidence_packs",
                        to="casework.casefile",
                    ),
                ),
                (
                    "officer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="packs", to="cooperation.officer"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="organisations.practitioner"),
                ),
                ("allowed_how", models.CharField(choices=[("phone", "Phone"), ("writing", "Writing")], max_length=7)),
                ("sealed_words", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                ("links", models.PositiveIntegerField()),
                ("pictures", models.PositiveIntegerField()),
                ("manifest_digest", models.CharField(max_length=64)),
                ("file_digest", models.CharField(max_length=64)),
                ("file_bytes", models.PositiveIntegerField()),
                ("custody_steps", models.PositiveIntegerField()),
                ("custody_mac", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="CustodyEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "pack",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="custody",
                        to="cooperation.evidencepack",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("made", "Made"),
                            ("handed over", "Handed"),
                            ("receipt confirmed", "Received"),
                            ("checked", "Checked"),
                            ("no longer allowed", "Recalled"),
                        ],
                        max_length=20,
                    ),
                ),
                ("by", models.CharField(max_length=200)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("previous", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("mac", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["number"],
                "constraints": [models.UniqueConstraint(fields=("pack", "number"), name="one_custody_entry_a_number")],
            },
        ),
        migrations.CreateModel(
            name="LegalDemand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("form", models.UUIDField(null=True, unique=True)),
                ("received_on", models.DateField()),
                ("sender", models.CharField(max_length=200)),
                ("country", models.CharField(max_length=2)),
                ("basis", models.CharField(max_length=300)),
                ("sealed_asked", models.TextField()),
                ("scope", models.CharField(max_length=20)),
                ("deadline", models.DateField(null=True)),
                (
                    "notice",
                    models.CharField(
                        choices=[("due", "Due"), ("forbidden", "Forbidden"), ("given", "Given"), ("nobody", "Nobody")],
                        max_length=9,
                    ),
                ),
                ("forbidden_until", models.DateField(null=True)),
                ("notice_given_on", models.DateField(null=True)),
                ("ban_until", models.DateField(null=True)),
                (
                    "ban_proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bans_proposed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ban_released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bans_released",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "logged_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="demands_logged",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("logged_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("logged", "Logged"), ("proposed", "Proposed"), ("answered", "Answered")],
                        default="logged",
                        max_length=8,
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("nothing", "nothing is held"),
                            ("refused", "refused"),
                            ("part", "part of it was given"),
                        ],
                        max_length=7,
                    ),
                ),
                ("sealed_reasons", models.TextField(blank=True)),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="demands_proposed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("proposed_at", models.DateTimeField(null=True)),
                ("given_digest", models.CharField(blank=True, max_length=64)),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="demands_released",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("released_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-received_on", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answer", ""),
                                ("given_digest", ""),
                                ("proposed_by", None),
                                ("released_by", None),
                                ("state", "logged"),
                            ),
                            models.Q(
                                ("proposed_by__isnull", False),
                                ("released_by", None),
                                ("state", "proposed"),
                                models.Q(("answer", ""), _negated=True),
                            ),
                            models.Q(
                                ("proposed_by__isnull", False),
                                ("released_by__isnull", False),
                                ("state", "answered"),
                                models.Q(("answer", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="an_answer_is_proposed_then_released",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_by", None),
                            models.Q(("released_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="two_people_for_an_answer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", "part"), models.Q(("given_digest", ""), _negated=True)),
                            models.Q(models.Q(("answer", "part"), _negated=True), ("given_digest", "")),
                            _connector="OR",
                        ),
                        name="what_is_given_has_a_digest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("notice", "given"), _negated=True),
                            ("notice_given_on__isnull", False),
                            _connector="OR",
                        ),
                        name="notice_given_on_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ban_proposed_by", None), ("ban_released_by", None), ("ban_until", None)),
                            models.Q(
                                ("ban_proposed_by__isnull", False),
                                ("ban_released_by", None),
                                ("ban_until__isnull", False),
                            ),
                            models.Q(
                                ("ban_proposed_by__isnull", False),
                                ("ban_until", models.F("forbidden_until")),
                                ("forbidden_until__isnull", False),
                                models.Q(("ban_released_by", models.F("ban_proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="two_people_end_a_ban",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case_file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_plan",
                        to="casework.casefile",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="organisations.practitioner"),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PlanStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="cooperation.recoveryplan"
                    ),
                ),
                ("key", models.CharField(max_length=40)),
                ("service", models.CharField(blank=True, max_length=20)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "to do"), ("done", "done"), ("unwanted", "not wanted")],
                        default="open",
                        max_length=8,
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [models.UniqueConstraint(fields=("plan", "key"), name="one_plan_step_a_key")],
            },
        ),
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="check_ins",
                        to="cooperation.recoveryplan",
                    ),
                ),
                ("due_on", models.DateField()),
                ("sealed_channel", models.BinaryField()),
                (
                    "state",
                    models.CharField(
                        choices=[("agreed", "Agreed"), ("done", "Done"), ("unreached", "nobody answered")],
                        default="agreed",
                        max_length=9,
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["due_on", "pk"],
                "indexes": [
                    models.Index(condition=models.Q(("state", "agreed")), fields=["due_on"], name="check_ins_to_come")
                ],
            },
        ),
    ]
