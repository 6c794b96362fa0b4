// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "./IAdmin.sol";
import {IDeals} from "./IDeals.sol";
import {IEscrow} from "./IEscrow.sol";
import {IOrders} from "./IOrders.sol";
import {ISignatures} from "./ISignatures.sol";
import {ITasks} from "./ITasks.sol";
import {IViews} from "./IViews.sol";

/// @title Everything that the Hub's one address answers, whether by itself or through HubViews
interface IHub is IEscrow, ISignatures, IOrders, IDeals, ITasks, IAdmin, IViews {
    /// @notice Refused: the escrow holds a token.
    receive() external payable;

    /// @notice Forwards to HubViews.
    fallback() external payable;
}
