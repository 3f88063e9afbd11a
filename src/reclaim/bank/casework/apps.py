"""The app of case files."""

from django.apps import AppConfig
from django.db.models.signals import post_delete


class CaseworkConfig(AppConfig):
    """Case files, notes, tasks and timelines."""

    name = "reclaim.bank.casework"

    def ready(self) -> None:
        """Whatever ends a consent, in the same transaction the case file forgets whose case it was; whose owner leaves
        waits for another one."""
        from reclaim.bank.cases.models import Consent
        from reclaim.bank.casework import leaving
        from reclaim.bank.casework.services import forget_consented_case

        def ended(instance: Consent, **signal: object) -> None:
            forget_consented_case(instance.case_id, instance.organisation_id)

        post_delete.connect(ended, sender=Consent, dispatch_uid="casework.consent-ended", weak=False)
        leaving.listen()
