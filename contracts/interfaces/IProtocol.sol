// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "./IAdmin.sol";
import {IBulk} from "./IBulk.sol";
import {IConsensus} from "./IConsensus.sol";
import {IDeals} from "./IDeals.sol";
import {IFailures} from "./IFailures.sol";
import {IMulticall} from "./IMulticall.sol";
import {IOrders} from "./IOrders.sol";
import {ISignatures} from "./ISignatures.sol";
import {IStakedToken} from "./IStakedToken.sol";
import {ITasks} from "./ITasks.sol";
import {IViews} from "./IViews.sol";

/// @title Everything that a Hub answers, whatever its escrow holds
interface IProtocol is
    IStakedToken,
    ISignatures,
    IOrders,
    IDeals,
    IBulk,
    ITasks,
    IConsensus,
    IFailures,
    IAdmin,
    IMulticall,
    IViews
{}
