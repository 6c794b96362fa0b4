// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {INativeEscrow} from "./INativeEscrow.sol";
import {IProtocol} from "./IProtocol.sol";

/// @title Everything that the one address answers where the escrow holds the chain's own currency
interface IHubNative is INativeEscrow, IProtocol {
    /// @notice A deposit.
    receive() external payable;

    /// @notice Forwards to HubOffice, and that to HubViews; a deposit, if something comes along with a call that none of
    /// them knows.
    fallback() external payable;
}
