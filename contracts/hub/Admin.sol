// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../interfaces/IAdmin.sol";
import {Category} from "../types/Deals.sol";
import {Ownership} from "./Ownership.sol";

/// @title Admin: what the owner may set
abstract contract Admin is IAdmin, Ownership {
    /// @inheritdoc IAdmin
    function transferOwnership(address newOwner) external {
        _checkOwner();
        _setOwner(newOwner);
    }

    /// @inheritdoc IAdmin
    function createCategory(
        string calldata name,
        string calldata description,
        uint256 workClockTimeRef
    ) external returns (uint256 catid) {
        _checkOwner();
        return _addCategory(Category(name, description, workClockTimeRef));
    }

    /// @inheritdoc IAdmin
    function setTeeBroker(address teeBroker) external {
        _checkOwner();
        _setTeeBroker(teeBroker);
    }

    /// @inheritdoc IAdmin
    function setCallbackGas(uint256 callbackGas) external {
        _checkOwner();
        require(callbackGas <= type(uint96).max, CallbackGasTooLarge(callbackGas));
        _settings.callbackGas = uint96(callbackGas);
    }
}
