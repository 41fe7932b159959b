//! `narthex receipt fetch`: the receipt of an answer that was abandoned, or whose end was lost, from the node that gave it.

use super::super::{
    Context, Exit, Failure, block_on, connect::connect, files, gateway_args::GatewayArgs,
    output::json_text, sealing_args::SealingArgs,
};
use crate::{RequestId, client::FetchedReceipt};
use clap::Args;
use session::receipt_json;
use std::{num::NonZeroUsize, path::PathBuf};

/// Ask the nodes for the receipt of a request whose answer was abandoned or lost its end
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex receipt fetch 4f1c1d0e8a7b6c5d4e3f2a1b0c9d8e7f --gateway https://gw.example --policy policy.json --policy-key alice.pub.pem
  narthex receipt fetch 4f1c1d0e8a7b6c5d4e3f2a1b0c9d8e7f --policy policy.json --policy-key alice.pub.pem --output r.cose

Nodes keep receipts for an hour, the newest ones only. Whoever knows the request id may ask. The evidence to verify the receipt
against later is that which the request was sealed to: chat --bundle, proxy --receipts.")]
pub(crate) struct Fetch {
    /// The request's id: 32 lower-case hexadecimal digits
    #[arg(value_name = "REQUEST-ID", value_parser = request_id)]
    request_id: RequestId,
    /// Save the receipt (COSE_Sign1)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(flatten)]
    sealing: SealingArgs,
}

impl Fetch {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let settings = self.sealing.settings_or(NonZeroUsize::MIN)?;
        let id = self.request_id;
        let found = block_on(async {
            let client = connect(context, self.gateway, settings, context.output.clone()).await?;
            Ok(client.fetch_receipt(&id).await?)
        });
        let found = found?.ok_or_else(|| absent(id))?;
        save(self.output, found.signed.as_bytes())?;
        show(&found, context)
    }
}

fn save(path: Option<PathBuf>, bytes: &[u8]) -> Result<(), Failure> {
    path.map_or(Ok(()), |path| files::write(&path, bytes))
}

fn show(found: &FetchedReceipt, context: &Context<'_>) -> Result<Exit, Failure> {
    let document = receipt_json::document(&found.receipt, &found.signed);
    context.output.either(&document, &json_text(&document))?;
    Ok(Exit::Accepted)
}

fn absent(id: RequestId) -> Failure {
    let message = format!("no node on offer has a receipt of request {id}");
    Failure::new(Exit::Internal, "receipt.absent", message).advice(
        "nodes keep receipts for an hour and forget them when they restart; a tenant's are for that tenant",
    )
}

fn request_id(text: &str) -> Result<RequestId, String> {
    RequestId::parse(text).ok_or_else(|| "not 32 lower-case hexadecimal digits".to_owned())
}
