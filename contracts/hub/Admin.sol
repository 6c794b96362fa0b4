// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../interfaces/IAdmin.sol";
import {Category} from "../types/Deals.sol";
import {HubStorage} from "./HubStorage.sol";

/// @title Admin: what the owner may set
abstract contract Admin is IAdmin, HubStorage {
    constructor(address owner, Category[] memory categories) {
        _vault.nonce = FIRST_BLOB;
        _settings.callbackGas = uint96(DEFAULT_CALLBACK_GAS);
        _transferOwnership(owner);
        for (uint256 i = 0; i < categories.length; ++i) {
            _createCategory(categories[i]);
        }
    }

    /// @inheritdoc IAdmin
    function transferOwnership(address newOwner) external {
        _checkOwner();
        _transferOwnership(newOwner);
    }

    /// @inheritdoc IAdmin
    function createCategory(
        string calldata name,
        string calldata description,
        uint256 workClockTimeRef
    ) external returns (uint256 catid) {
        _checkOwner();
        return _createCategory(Category(name, description, workClockTimeRef));
    }

    /// @inheritdoc IAdmin
    function setTeeBroker(address teeBroker) external {
        _checkOwner();
        _settings.teeBroker = teeBroker;
        _vault.hasTeeBroker = teeBroker != address(0);
    }

    /// @inheritdoc IAdmin
    function setCallbackGas(uint256 callbackGas) external {
        _checkOwner();
        require(callbackGas <= type(uint96).max, CallbackGasTooLarge(callbackGas));
        _settings.callbackGas = uint96(callbackGas);
    }

    function _transferOwnership(address newOwner) private {
        require(newOwner != address(0), InvalidAddress(newOwner));
        emit OwnershipTransferred(_ownership.owner, newOwner);
        _ownership.owner = newOwner;
    }

    function _createCategory(Category memory category) private returns (uint256 catid) {
        // Deadlines must stay within what a number can hold, or nobody could claim.
        uint256 clock = category.workClockTimeRef;
        require(clock <= type(uint64).max, CategoryTooLong(clock));
        catid = _ownership.categoryCount++;
        _categories[catid] = category;
        emit CreateCategory(catid, category.name, category.description, category.workClockTimeRef);
    }
}
