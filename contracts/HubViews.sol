// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HubStorage} from "./hub/HubStorage.sol";
import {Views} from "./hub/Views.sol";
import {IAdmin} from "./interfaces/IAdmin.sol";

/// @title HubViews: the state of a Hub, read only
/// @notice Works on the state of the Hub that asks it by delegatecall; asked directly, it knows nothing. No function writes.
contract HubViews is Views {
    constructor(IAdmin.Config memory config) HubStorage(config) {}

    receive() external payable {
        revert UnknownFunction(bytes4(0));
    }

    /// @dev Payable, for a Hub that takes what came along must be told that the call is unknown.
    fallback() external payable {
        revert UnknownFunction(msg.sig);
    }
}
