// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {HubStorage} from "../../contracts/hub/HubStorage.sol";
import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {TaskStatus} from "../../contracts/types/Deals.sol";

/// @title Saboteur
/// @notice Its code, put in the place of the Hub's for one call, does to the Hub's state what no Hub should.
contract Saboteur is HubStorage {
    constructor(IAdmin.Config memory config) HubStorage(config) {}

    function give(address account) external {
        ++_accounts[account].free;
    }

    /// @dev Everything adds up, but not for the two.
    function shift(address from, address to) external {
        --_accounts[from].free;
        ++_accounts[to].free;
    }

    function mint(address account, uint96 amount) external {
        _accounts[account].free += amount;
        _supply += amount;
    }

    function fillKitty(address from) external {
        --_accounts[from].free;
        ++_vault.kitty;
        ++_vault.held;
    }

    function payFromCustody(address to) external {
        --_vault.held;
        ++_accounts[to].free;
    }

    function make() external {
        // Of no code at all.
        assembly ("memory-safe") {
            pop(create(0, 0, 0))
        }
    }

    function score(address worker) external {
        ++_accounts[worker].score;
    }

    function growDeal(bytes32 dealId) external {
        ++_deals[dealId].botSize;
    }

    function revive(bytes32 taskId) external {
        _tasks[taskId].status = TaskStatus.ACTIVE;
    }

    function reopenOrder(bytes32 orderHash) external {
        _setConsumedOf(orderHash, 0);
    }

    function lockAway(address account) external {
        --_accounts[account].free;
        ++_accounts[account].frozen;
        ++_vault.held;
    }
}
