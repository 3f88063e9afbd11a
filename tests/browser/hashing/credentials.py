"""Pictures with Content Credentials (C2PA), signed by a certificate of our own that nobody knows."""

from __future__ import annotations

import datetime
import io
import json
from functools import cache

from c2pa import Builder, C2paBuilderIntent, C2paSigningAlg, Signer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def _name(text: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
    )


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePublicKey,
    signed_by: ec.EllipticCurvePrivateKey,
    *,
    of_authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=of_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not of_authority,
                key_cert_sign=of_authority,
                crl_sign=of_authority,
                encipher_only=False,
                decipher_only=False,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key()), critical=False)
    )
    if not of_authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(signed_by, hashes.SHA256())


@cache
def _signer() -> Signer:
    root, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = [
        _certificate("Signer", "Root", own.public_key(), root, of_authority=False),
        _certificate("Root", "Root", root.public_key(), root, of_authority=True),
    ]

    def sign(content: bytes) -> bytes:
        first, second = utils.decode_dss_signature(own.sign(content, ec.ECDSA(hashes.SHA256())))
        return first.to_bytes(32, "big") + second.to_bytes(32, "big")

    text = "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in chain)
    return Signer.from_callback(sign, C2paSigningAlg.ES256, text)


def signed(content: bytes, source_type: str, *, kind: str = "image/jpeg", elsewhere: str = "") -> bytes:
    """The picture ``content`` with credentials that say how it was made, by IPTC's word for it.

    With ``elsewhere`` the file holds nothing but that address, where its credentials are said to be.
    """
    action = {"action": "c2pa.created", "digitalSourceType": IPTC + source_type}
    manifest = {
        "claim_generator_info": [{"name": "tests", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    builder = Builder(json.dumps(manifest))
    if elsewhere:
        builder.set_remote_url(elsewhere)
        builder.set_no_embed()
    made = io.BytesIO()
    builder.sign(_signer(), kind, io.BytesIO(content), made)
    return made.getvalue()


def edited(parent: bytes, *, kind: str = "image/jpeg") -> bytes:
    """``parent`` opened and made anew by a program that says nothing of AI, and names it as where it came from."""
    with Image.open(io.BytesIO(parent)) as picture:
        anew = io.BytesIO()
        picture.save(anew, "JPEG", quality=80)
    manifest = {"claim_generator_info": [{"name": "tests", "version": "1"}]}
    builder = Builder(json.dumps(manifest))
    builder.set_intent(C2paBuilderIntent.EDIT)
    builder.add_ingredient(json.dumps({"relationship": "parentOf"}), kind, io.BytesIO(parent))
    made = io.BytesIO()
    builder.sign(_signer(), kind, anew, made)
    return made.getvalue()
