// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IProtocol} from "./IProtocol.sol";
import {ITokenEscrow} from "./ITokenEscrow.sol";

/// @title Everything that the one address answers, whether by Hub, HubOffice or HubViews
interface IHub is ITokenEscrow, IProtocol {
    /// @notice Refused: the escrow holds a token.
    receive() external payable;

    /// @notice Forwards to HubOffice, and that to HubViews.
    fallback() external payable;
}
