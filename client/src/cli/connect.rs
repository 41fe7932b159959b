//! A client of the gateway and under the policy that the flags name, which follows what comes later.

use super::{Context, Failure, gateway_args::GatewayArgs, in_force};
use crate::{Client, Observer, Settings};
use std::sync::Arc;

pub(super) async fn connect(
    context: &Context<'_>,
    args: GatewayArgs,
    settings: Settings,
    observer: Arc<dyn Observer>,
) -> Result<Client, Failure> {
    let (collateral, every) = (args.collateral(), args.policy_refresh());
    let gateway = args.gateway()?;
    let judging = (collateral.as_deref(), every);
    let (judge, updates) = in_force::follow(context, &gateway, judging).await?;
    let client = Client::connect_with(&gateway, judge, settings, observer).await?;
    Ok(client.following(updates))
}
