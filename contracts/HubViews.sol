// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HubStorage} from "./hub/HubStorage.sol";
import {Views} from "./hub/Views.sol";
import {IAdmin} from "./interfaces/IAdmin.sol";

/// @title HubViews: the state of a Hub, read only
/// @notice Made by the Hub that lends it its state by delegatecall; asked directly, it knows nothing. No function writes.
contract HubViews is Views {
    constructor(IAdmin.Config memory config) HubStorage(config, msg.sender) {}

    fallback() external {
        revert UnknownFunction(msg.sig);
    }
}
