"""HPKE (RFC 9180), base mode, on the primitives of PyPI `cryptography`: X25519 and X-Wing, HKDF-SHA256, AES-GCM.

`cryptography` has an HPKE of its own, for one message and without an exporter; OHTTP needs several and one. So the key schedule stands
here, and `check` holds its first message against `cryptography`'s.
"""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

HKDF_SHA256 = 1
NONCE = 12


def extract(salt, secret):
    """HKDF-Extract with SHA-256."""
    return hmac.digest(salt, secret, "sha256")


def expand(prk, info, length):
    """HKDF-Expand with SHA-256."""
    return HKDFExpand(hashes.SHA256(), length, info).derive(prk)


class _Labeled:
    """LabeledExtract and LabeledExpand (section 4)."""

    def __init__(self, suite_id):
        self.suite_id = suite_id

    def extract(self, salt, label, secret):
        return extract(salt, b"HPKE-v1" + self.suite_id + label + secret)

    def expand(self, prk, label, info, length):
        return expand(prk, struct.pack(">H", length) + b"HPKE-v1" + self.suite_id + label + info, length)


class X25519:
    """DHKEM(X25519, HKDF-SHA256) (section 4.1)."""

    id, name, public_len, enc_len = 0x0020, "X25519", 32, 32
    stock = hpke.KEM.X25519

    @classmethod
    def encapsulate(cls, public, ephemeral=None):
        ephemeral = X25519PrivateKey.from_private_bytes(ephemeral) if ephemeral else X25519PrivateKey.generate()
        enc = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
        return enc, cls._secret(shared, enc, public)

    @classmethod
    def decapsulate(cls, private, enc):
        secret = X25519PrivateKey.from_private_bytes(private)
        shared = secret.exchange(X25519PublicKey.from_public_bytes(enc))
        return cls._secret(shared, enc, secret.public_key().public_bytes_raw())

    @staticmethod
    def _secret(shared, enc, public):
        labeled = _Labeled(b"KEM" + struct.pack(">H", X25519.id))
        return labeled.expand(labeled.extract(b"", b"eae_prk", shared), b"shared_secret", enc + public, 32)

    @staticmethod
    def stock_private(private):
        return X25519PrivateKey.from_private_bytes(private)

    @staticmethod
    def public(private):
        return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


class XWing:
    """X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519; a private key is a seed of 32 bytes."""

    id, name, public_len, enc_len = 0x647A, "X-Wing", 1216, 1120
    stock = hpke.KEM.MLKEM768_X25519

    @classmethod
    def encapsulate(cls, public):
        of_ml_kem, ciphertext = MLKEM768PublicKey.from_public_bytes(public[:1184]).encapsulate()
        ephemeral = X25519PrivateKey.generate()
        enc = ephemeral.public_key().public_bytes_raw()
        of_x25519 = ephemeral.exchange(X25519PublicKey.from_public_bytes(public[1184:]))
        return ciphertext + enc, cls._secret(of_ml_kem, of_x25519, enc, public[1184:])

    @classmethod
    def decapsulate(cls, seed, enc):
        ml_kem, x25519 = cls._expanded(seed)
        of_x25519 = x25519.exchange(X25519PublicKey.from_public_bytes(enc[1088:]))
        return cls._secret(ml_kem.decapsulate(enc[:1088]), of_x25519, enc[1088:], x25519.public_key().public_bytes_raw())

    @staticmethod
    def _expanded(seed):
        expanded = hashlib.shake_256(seed).digest(96)
        return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])

    @staticmethod
    def _secret(of_ml_kem, of_x25519, enc, public):
        return hashlib.sha3_256(of_ml_kem + of_x25519 + enc + public + rb"\.//^" + b"\\").digest()

    @classmethod
    def stock_private(cls, seed):
        return hpke.MLKEM768X25519PrivateKey(*cls._expanded(seed))

    @classmethod
    def public(cls, seed):
        return b"".join(key.public_key().public_bytes_raw() for key in cls._expanded(seed))


KEMS = {kem.id: kem for kem in (X25519, XWing)}
AEAD_KEYS = {1: 16, 2: 32}
_STOCK_AEADS = {1: hpke.AEAD.AES_128_GCM, 2: hpke.AEAD.AES_256_GCM}


class Context:
    """An encryption context (section 5.2); seals or opens messages in their order, and exports secrets."""

    def __init__(self, kem, aead, shared_secret, info):
        labeled = self._labeled = _Labeled(b"HPKE" + struct.pack(">HHH", kem.id, HKDF_SHA256, aead))
        base = b"\0" + labeled.extract(b"", b"psk_id_hash", b"") + labeled.extract(b"", b"info_hash", info)
        secret = labeled.extract(shared_secret, b"secret", b"")
        self._key = AESGCM(labeled.expand(secret, b"key", base, AEAD_KEYS[aead]))
        self._nonces = nonces(labeled.expand(secret, b"base_nonce", base, NONCE))
        self._exporter = labeled.expand(secret, b"exp", base, 32)

    def seal(self, text, aad=b""):
        return self._key.encrypt(next(self._nonces), text, aad)

    def open(self, sealed, aad=b""):
        return self._key.decrypt(next(self._nonces), sealed, aad)

    def export(self, context, length):
        return self._labeled.expand(self._exporter, b"sec", context, length)


def nonces(base):
    """The base nonce, with 0, 1, 2 .. in its low bytes."""
    base, counter = int.from_bytes(base, "big"), 0
    while True:
        yield (base ^ counter).to_bytes(NONCE, "big")
        counter += 1


def sender(kem, aead, public, info):
    """SetupBaseS: the encapsulation to send, and its context."""
    enc, secret = kem.encapsulate(public)
    return enc, Context(kem, aead, secret, info)


def recipient(kem, aead, private, enc, info):
    """SetupBaseR."""
    return Context(kem, aead, kem.decapsulate(private, enc), info)


def check(kem, aead):
    """Whether `cryptography`'s own HPKE opens what is sealed here."""
    private = bytes(range(32))
    enc, context = sender(kem, aead, kem.public(private), b"info")
    stock = hpke.Suite(kem.stock, hpke.KDF.HKDF_SHA256, _STOCK_AEADS[aead])
    return stock.decrypt(enc + context.seal(b"text"), kem.stock_private(private), b"info") == b"text"
