//! A complete exchange as it is kept: the verified receipt, what opens it, and the evidence that it names.

use crate::{AdmittedNode, receipt_json};
use protocol::{Opening, Receipt, SignedReceipt};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What remains of one exchange. No Debug: the opening is a secret.
pub struct Served {
    node: Arc<AdmittedNode>,
    receipt: Receipt,
    signed: SignedReceipt,
    opening: Opening,
}

impl Served {
    pub(crate) const fn new(
        node: Arc<AdmittedNode>,
        receipt: Receipt,
        signed: SignedReceipt,
        opening: Opening,
    ) -> Self {
        Self {
            node,
            receipt,
            signed,
            opening,
        }
    }

    /// The request id, 32 hexadecimal digits: the name of the receipt's file.
    #[must_use]
    pub fn request_id(&self) -> String {
        hex::encode(self.receipt.request_id)
    }

    /// The binding id, 64 hexadecimal digits: the name of the bundle's file.
    #[must_use]
    pub fn binding_id(&self) -> String {
        hex::encode(self.receipt.binding_id.0)
    }

    /// The node that answered.
    #[must_use]
    pub fn node(&self) -> &AdmittedNode {
        &self.node
    }

    /// What the receipt says.
    #[must_use]
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The signed receipt: COSE_Sign1, for `narthex receipt verify --receipt`.
    #[must_use]
    pub fn signed(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// The opening file, for `narthex receipt verify --opening`: 64 hexadecimal digits and a line end. A secret.
    #[must_use]
    pub fn opening_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", hex::encode(self.opening.as_bytes())))
    }

    /// The receipt's claims as a JSON object, with the signed bytes as `cose` (base64url).
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        receipt_json::document(&self.receipt, &self.signed)
    }

    /// The same as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }
}
