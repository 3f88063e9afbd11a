"""What the scripts of the files page say, as whole sentences in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reclaim.sitekit.languages import Counted


def words() -> dict[str, str]:
    """Sentences by name. ``{gaps}`` are filled by the script."""
    return {
        "making": _("{done} of {total} done"),
        "offline-getting": _("Getting ready …"),
        "offline-ready": _("Ready. You can switch off your connection now, and choose your files."),
        "offline-failed": _("Your browser cannot do that. You can still read what will be sent before you send it."),
        "file": _("File {n}"),
        "ready-picture": _("Ready: picture {n}"),
        "ready-video": _("Ready: video {n}"),
        "left-out": _("Left out"),
        "too-plain": _("Too plain"),
        # What a file is: kind, size, and when it was last changed. Never its name.
        "about": _("{kind}, {size}"),
        "about-dated": _("{kind}, {size}, from {date}"),
        "kind-picture": _("{format} picture"),
        "kind-video": _("{format} video"),
        "kind-unknown": _("Unknown kind of file"),
        "same": _("The same as file {n}. Once is enough."),
        "empty": _("This file is empty. Copy or download it again."),
        "not-a-picture": _(
            "This is not a picture or video that your browser can open. Save it as JPEG, PNG or MP4 and choose that."
        ),
        "too-large": _("This file is too large for this device. Save a smaller copy and choose that."),
        "unreadable": _("This file is damaged or cannot be read. Copy or download it again."),
        "truncated": _("This file was cut short: its end is missing. Copy or download it again."),
        "encrypted": _("This file is locked with a password or a licence. Save a copy without it and choose that."),
        "unsupported": _("Your browser cannot open this kind of file. Save it as JPEG, PNG or MP4 and choose that."),
        "not-fetched": _(
            "The program that reads this kind of file could not be loaded. Switch your connection on and choose the "
            "file again."
        ),
        "flat": _("There is too little to see in this picture for a good fingerprint."),
        "small": _("This picture is too small for a good fingerprint. Choose a larger copy if you have one."),
        "text": _("This is mostly text, such as a screenshot. Many screenshots look alike to a fingerprint."),
        "exact": _("An exact fingerprint will be used. It finds only the very same file."),
        "only-codec": _(
            "Your browser cannot look into this video. An exact fingerprint is used. It finds only the very same file. "
            "In another browser, such as Chrome or Safari, more may be possible."
        ),
        "only-encrypted": _(
            "This video is locked with a licence. An exact fingerprint is used. It finds only the very same file."
        ),
        "only-damaged": _(
            "A part of this video is damaged. An exact fingerprint is used. It finds only the very same file."
        ),
        "only-plain": _(
            "There is too little to see in this video. An exact fingerprint is used. It finds only the very same file."
        ),
        "inside": _(
            "Your picture seems to lie inside a screenshot or a frame. A fingerprint of the part inside is made too. "
            "It is about {share} of the whole."
        ),
        "use-inside": _("Use the part inside too"),
        "ordinary": _("An ordinary picture: only websites for adult content look for it, and a person there decides."),
        "described": _("Patches are ready for {done} of {total} files."),
        "ai-found": _("At least one file says that AI made or changed it. The answer is now Yes. You can change it."),
        "ai-nothing": _("No file says that. It may be so all the same: most files say nothing."),
        "not-looked": _("Your device could not do that. You can go on without it."),
        "later": _("Not now: together these videos are too long. Add it to your case afterwards."),
        "refused-item": _("Number {n} was not taken"),
        "held-item": _("Number {n} is checked first"),
        "held": _("A person at the bank looks at it before websites get it. You see on your case what they decide."),
        "degenerate": _("There is too little to see in it. Its fingerprint could match other people's pictures."),
        "harmless": _("It looks like something harmless that many people have, such as an empty screen."),
        "malformed": _("This fingerprint arrived damaged. Please choose the file again later."),
        "poor": _("There is too little to see in it. Its fingerprint could match other people's pictures."),
        "full": _("Your case is full. Withdraw something, or make another case for the rest."),
        "no-answer": _("We got no answer"),
        "went-wrong": _("Something went wrong here"),
        "lost": _("The fingerprints were sent, but no answer came back. It may be your connection."),
        "proof-failed": _(
            "Your device could not finish the small calculation. Please try again, or ask a helper for a code."
        ),
        "bad-code": _("This code is not known, or it was used before. Please check it, or leave it out."),
        "refused": _("The bank could not read what this page sent. Please try again, or try another browser."),
        "session-over": _("Your case was closed after 30 minutes. Please open it again with your number and PIN."),
    }


def counted_words() -> dict[str, Counted]:
    """Sentences that depend on a count, by name."""
    return {
        "summary": Counted(lambda n: ngettext("One file can be used.", "{n} files can be used.", n)),
        "saved": Counted(lambda n: ngettext("It holds one picture or video.", "It holds {n} pictures and videos.", n)),
        "added": Counted(
            lambda n: ngettext("One picture or video was added.", "{n} pictures and videos were added.", n)
        ),
        "slow": Counted(
            lambda n: ngettext(
                "Too much came from your network. Please wait one minute.",
                "Too much came from your network. Please wait {n} minutes.",
                n,
            )
        ),
        "long": Counted(lambda n: ngettext("{n} second long", "{n} seconds long", n)),
    }
