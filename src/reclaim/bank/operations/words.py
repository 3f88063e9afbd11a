"""Sentences about applications, for applicants and for staff."""

from __future__ import annotations

from reclaim.bank.operations.models import Application

_State = Application.State

STATES = {
    _State.ASKED: "Somebody at the bank reads it next, and may write to the contact that you gave.",
    _State.VETTED: "Somebody at the bank proposes that you join; a second person must consent.",
    _State.CONSENTED: "The bank lets you in. Pick your keys up within thirty days, with your secret.",
    _State.JOINED: "Your keys were picked up, and you are a platform of this bank.",
    _State.DECLINED: "The bank has declined. You may apply again when what it names has changed.",
    _State.WITHDRAWN: "It was taken back, and nothing happens with it any more.",
}
FOR_STAFF = {
    _State.ASKED: "waits for an operator",
    _State.VETTED: "waits for the second person",
    _State.CONSENTED: "waits for the applicant to pick the keys up",
    _State.JOINED: "has joined",
    _State.DECLINED: "was declined",
    _State.WITHDRAWN: "was taken back",
}
FIELDS = {
    "name": "Name of your service",
    "web": "Its web address",
    "contact": "Whom we write to",
    "country": "Country",
    "kind": "What it is",
    "people": "How many people use it in a month",
    "media": "What people upload",
    "review": "How you review what matches",
    "scopes": "What you want to do",
    "addresses": "Networks that your keys are to be good from",
}
