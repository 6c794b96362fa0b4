// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAdmin} from "../interfaces/IAdmin.sol";
import {IEscrow} from "../interfaces/IEscrow.sol";
import {INativeEscrow} from "../interfaces/INativeEscrow.sol";
import {Escrow} from "./Escrow.sol";

/// @title NativeEscrow: the edge of the escrow over the chain's own currency
abstract contract NativeEscrow is INativeEscrow, Escrow {
    /// @dev Wei in one unit of the staked token.
    uint256 private constant UNIT = 1e9;

    constructor() {
        require(address(TOKEN) == address(0), IAdmin.InvalidAddress(address(TOKEN)));
    }

    /* DEPOSITS */

    /// @inheritdoc INativeEscrow
    function deposit() external payable returns (bool) {
        _deposit(_sender());
        return true;
    }

    /// @inheritdoc INativeEscrow
    function depositFor(address target) external payable returns (bool) {
        _deposit(target);
        return true;
    }

    /// @inheritdoc INativeEscrow
    function depositForArray(uint256[] calldata amounts, address[] calldata targets) external payable returns (bool) {
        require(amounts.length == targets.length, LengthMismatch(amounts.length, targets.length));
        uint256 left = msg.value;
        for (uint256 i = 0; i < amounts.length; ++i) {
            // What is left is an amount, so that no product below overflows.
            require(amounts[i] <= left / UNIT, ValueTooSmall(amounts[i], left / UNIT));
            left -= amounts[i] * UNIT;
            _mint(targets[i], amounts[i]);
        }
        if (left > 0) _send(msg.sender, left);
        return true;
    }

    /// @dev What is less than a unit goes back to the caller.
    function _deposit(address target) internal {
        _mint(target, msg.value / UNIT);
        uint256 rest = msg.value % UNIT;
        if (rest > 0) _send(msg.sender, rest);
    }

    /* WITHDRAWALS */

    /// @inheritdoc IEscrow
    function withdraw(uint256 amount) external returns (bool) {
        _withdraw(amount, _sender());
        return true;
    }

    /// @inheritdoc IEscrow
    function withdrawTo(uint256 amount, address target) external returns (bool) {
        _withdraw(amount, target);
        return true;
    }

    /// @inheritdoc IEscrow
    function recover() external returns (uint256 surplus) {
        _checkOwner();
        surplus = address(this).balance / UNIT - _supply;
        _mint(_ownership.owner, surplus);
    }

    function _withdraw(uint256 amount, address target) private {
        require(target != address(this), IERC20Errors.ERC20InvalidReceiver(target));
        _burn(_sender(), amount);
        _send(target, amount * UNIT);
    }

    function _send(address target, uint256 value) private {
        bool sent;
        assembly ("memory-safe") {
            sent := call(gas(), target, value, 0, 0, 0, 0)
        }
        require(sent, NativeTransferFailed(target, value));
    }
}
