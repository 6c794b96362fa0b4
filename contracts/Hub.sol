// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HubViews} from "./HubViews.sol";
import {Admin} from "./hub/Admin.sol";
import {Deals} from "./hub/Deals.sol";
import {HubStorage} from "./hub/HubStorage.sol";
import {Orders} from "./hub/Orders.sol";
import {Tasks} from "./hub/Tasks.sol";
import {Category} from "./types/Deals.sol";

/// @title Hub: the one address of the protocol
/// @notice Immutable: a new version is a new address. What it does not answer itself, HubViews answers from its state.
contract Hub is Orders, Deals, Tasks, Admin {
    address private immutable VIEWS;

    /// @param categories The first categories, numbered from zero.
    constructor(
        Config memory config,
        Category[] memory categories
    ) HubStorage(config, address(this)) Admin(config.owner, categories) {
        VIEWS = address(new HubViews(config));
    }

    receive() external payable {
        revert NativeNotAccepted(msg.value);
    }

    fallback() external payable {
        require(msg.value == 0, NativeNotAccepted(msg.value));
        (bool success, bytes memory answer) = VIEWS.delegatecall(msg.data);
        assembly ("memory-safe") {
            switch success
            case 0 {
                revert(add(answer, 32), mload(answer))
            }
            default {
                return(add(answer, 32), mload(answer))
            }
        }
    }
}
