//! A key of a PKCS #11 token: signing happens inside it.

use super::{
    super::{Exit, Failure, files},
    token_uri::TokenUri,
};
use attestation::crypto::ed25519_verify;
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::Error,
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use std::path::Path;
use zeroize::Zeroizing;

/// Longest PIN read, in bytes.
const MAX_PIN_BYTES: usize = 1024;

/// DER header of an OCTET STRING of 32 bytes: how a token wraps a point (PKCS #11 3.1 section 6.3.5).
const OCTETS_32: [u8; 2] = [0x04, 0x20];

/// A key of an open, logged-in session.
pub(crate) struct TokenKey {
    session: Session,
    private: ObjectHandle,
    public_key: [u8; 32],
}

impl TokenKey {
    pub(super) fn open(uri: &TokenUri) -> Result<Self, Failure> {
        let module =
            Pkcs11::new(&uri.module).map_err(|error| unusable("load its library", &error))?;
        module
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .map_err(|error| unusable("start its library", &error))?;
        let session = module.open_ro_session(slot(&module, uri)?);
        let session = session.map_err(|error| unusable("open a session", &error))?;
        let pin = uri.pin_source.as_deref().map(read_pin).transpose()?;
        session
            .login(UserType::User, pin.as_ref())
            .map_err(|error| unusable("log in", &error))?;
        let private = only(&session, uri, ObjectClass::PRIVATE_KEY)?;
        let public = only(&session, uri, ObjectClass::PUBLIC_KEY)?;
        Ok(Self {
            public_key: point(&session, public)?,
            session,
            private,
        })
    }

    pub(super) const fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    /// Signs, and holds the signature against the public half: a token may have two keys of one name.
    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; 64], Failure> {
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
        let signature = self.session.sign(&mechanism, self.private, message);
        let signature = signature.map_err(|error| unusable("sign with Ed25519", &error))?;
        <[u8; 64]>::try_from(signature)
            .ok()
            .filter(|signature| ed25519_verify(&self.public_key, message, signature))
            .ok_or_else(|| {
                refused("its signature does not verify under the public key that it shows")
            })
    }
}

/// The one slot whose token the URI names.
fn slot(module: &Pkcs11, uri: &TokenUri) -> Result<Slot, Failure> {
    let slots = module.get_slots_with_initialized_token();
    let slots = slots.map_err(|error| unusable("list its slots", &error))?;
    let mut named = Vec::new();
    for slot in slots {
        let info = module.get_token_info(slot);
        let info = info.map_err(|error| unusable("tell of its tokens", &error))?;
        let is_label = uri
            .token
            .as_deref()
            .is_none_or(|label| label == info.label());
        let is_serial = uri
            .serial
            .as_deref()
            .is_none_or(|serial| serial == info.serial_number());
        if is_label && is_serial {
            named.push(slot);
        }
    }
    match named.as_slice() {
        [only] => Ok(*only),
        [] => Err(refused("no token has that label and serial number")),
        _ => Err(refused("several tokens have that label: give serial= too")),
    }
}

/// The one Ed25519 key of `class` that the URI names.
fn only(session: &Session, uri: &TokenUri, class: ObjectClass) -> Result<ObjectHandle, Failure> {
    let mut template = vec![
        Attribute::Class(class),
        Attribute::KeyType(KeyType::EC_EDWARDS),
    ];
    template.extend(
        uri.object
            .as_ref()
            .map(|label| Attribute::Label(label.as_bytes().to_vec())),
    );
    template.extend(uri.id.clone().map(Attribute::Id));
    let found = session.find_objects(&template);
    let found = found.map_err(|error| unusable("look for the key", &error))?;
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(refused("it has no such Ed25519 key, or only half of it")),
        _ => Err(refused(
            "several of its keys have that name: give object= and id=",
        )),
    }
}

fn point(session: &Session, public: ObjectHandle) -> Result<[u8; 32], Failure> {
    let attributes = session.get_attributes(public, &[AttributeType::EcPoint]);
    let attributes = attributes.map_err(|error| unusable("show the public key", &error))?;
    let points = attributes
        .into_iter()
        .find_map(|attribute| match attribute {
            Attribute::EcPoint(point) => Some(point),
            _ => None,
        });
    let point = points.unwrap_or_default();
    let raw = point.strip_prefix(&OCTETS_32).unwrap_or(&point);
    raw.try_into()
        .map_err(|_| refused("its public key is not an Ed25519 point"))
}

fn read_pin(path: &Path) -> Result<AuthPin, Failure> {
    let bytes = Zeroizing::new(files::read_unlisted(path, MAX_PIN_BYTES)?);
    let text = str::from_utf8(bytes.trim_ascii_end());
    let pin = text.map_err(|_| refused("the PIN in pin-source is not UTF-8"))?;
    Ok(AuthPin::from(pin))
}

fn unusable(what: &str, error: &Error) -> Failure {
    refused(&format!("it did not {what}: {error}"))
}

fn refused(why: &str) -> Failure {
    let message = format!("the key of the token cannot be used: {why}");
    Failure::new(Exit::Usage, "signing_key.token", message)
        .advice("check module-path, token, object and the PIN; softhsm2-util --show-slots or pkcs11-tool -O list what is there")
}
