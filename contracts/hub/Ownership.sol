// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../interfaces/IAdmin.sol";
import {Category} from "../types/Deals.sol";
import {HubStorage} from "./HubStorage.sol";

/// @title Ownership: what the constructor sets, and the owner later
abstract contract Ownership is HubStorage {
    function _setOwner(address newOwner) internal {
        require(newOwner != address(0), IAdmin.InvalidAddress(newOwner));
        emit IAdmin.OwnershipTransferred(_ownership.owner, newOwner);
        _ownership.owner = newOwner;
    }

    function _setTeeBroker(address teeBroker) internal {
        _settings.teeBroker = teeBroker;
        _vault.hasTeeBroker = teeBroker != address(0);
    }

    function _addCategory(Category memory category) internal returns (uint256 catid) {
        // Deadlines must stay within what a number can hold, or nobody could claim.
        uint256 clock = category.workClockTimeRef;
        require(clock <= type(uint64).max, IAdmin.CategoryTooLong(clock));
        catid = _ownership.categoryCount++;
        _categories[catid] = category;
        emit IAdmin.CreateCategory(catid, category.name, category.description, clock);
    }
}
