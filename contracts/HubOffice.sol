// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Admin} from "./hub/Admin.sol";
import {Bulk} from "./hub/Bulk.sol";
import {Consensus} from "./hub/Consensus.sol";
import {Delegation} from "./hub/Delegation.sol";
import {Failures} from "./hub/Failures.sol";
import {HubStorage} from "./hub/HubStorage.sol";
import {Orders} from "./hub/Orders.sol";
import {StakedToken} from "./hub/StakedToken.sol";
import {IAdmin} from "./interfaces/IAdmin.sol";
import {IViews} from "./interfaces/IViews.sol";

/// @title HubOffice: what of the protocol is called less often
/// @notice Works on the state of the Hub that asks it by delegatecall; asked directly, it has no state to work on. What it
/// does not answer itself, HubViews answers.
contract HubOffice is Orders, Bulk, Consensus, Failures, StakedToken, Admin, Delegation {
    address private immutable VIEWS;

    constructor(IAdmin.Config memory config, address views) HubStorage(config) {
        VIEWS = _deployed(views);
    }

    receive() external payable {
        revert IViews.UnknownFunction(bytes4(0));
    }

    fallback() external payable {
        _delegateTo(VIEWS);
    }
}
