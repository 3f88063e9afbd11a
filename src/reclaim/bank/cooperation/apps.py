"""The app of referrals, evidence, legal demands and plans of recovery."""

from django.apps import AppConfig


class CooperationConfig(AppConfig):
    """Referrals, evidence packs, letters, legal demands and plans."""

    name = "reclaim.bank.cooperation"

    def ready(self) -> None:
        """End referrals with their case file, and name what this app writes into timelines."""
        from reclaim.bank.casework import erasing
        from reclaim.bank.casework.timeline import register
        from reclaim.bank.cooperation.carry import end_for_case_file

        erasing.register(end_for_case_file)

        for kind, sentence in {
            "referral.sent": "The case file was referred to {to}.",
            "referral.accepted": "A referral by {by} was accepted.",
            "referral.returned": "It was returned to {to}.",
            "referral.withdrawn": "The person no longer agrees to the referral to {to}.",
            "evidence.made": "An evidence pack was made for {agency}.",
            "letter.made": "A letter that asks {to} to preserve data was made.",
            "plan.begun": "A plan of recovery was begun.",
            "plan.checked-in": "A check-in: {how}.",
            "plan.ended": "The person ended the plan of recovery.",
        }.items():
            register(kind, sentence)
